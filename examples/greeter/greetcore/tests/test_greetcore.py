import pytest

from greetcore import Service, Settings, installed


def test_environment_overrides_the_file(tmp_path):
    path = tmp_path / "greeter.yaml"
    path.write_text("name: team\ninterval: 2\n")
    settings = Settings.load(path, {"GREETER_INTERVAL": "0.5"})
    assert (settings.name, settings.interval) == ("team", 0.5)


def test_unknown_setting(tmp_path):
    path = tmp_path / "greeter.yaml"
    path.write_text("nmae: team\n")
    with pytest.raises(ValueError, match="unknown setting 'nmae'"):
        Settings.load(path, {})


def test_greet():
    assert Service(Settings(name="team", language="de")).greet() == "Hallo, team!"


def test_a_project_that_is_not_installed():
    assert installed(["no-such-project"]) == {"no-such-project": {"version": None, "commit": None}}
