from greetcore import Service, Settings
from greetweb.web import create_app


class Broken(Service):
    def greet(self, name=None, language=None):
        raise RuntimeError("no words")


def client(service):
    return create_app(service).test_client()


def test_it_greets():
    answer = client(Service(Settings(language="de"))).get("/?name=team")
    assert (answer.status_code, answer.text) == (200, "Hallo, team!\n")


def test_unknown_language_is_the_askers_fault():
    assert client(Service(Settings())).get("/?language=xx").status_code == 400


def test_healthy_only_when_it_can_greet():
    assert client(Service(Settings())).get("/healthz").status_code == 200
    answer = client(Broken(Settings())).get("/healthz")
    assert (answer.status_code, answer.text) == (503, "RuntimeError: no words\n")


def test_version_names_every_project():
    assert sorted(client(Service(Settings())).get("/version").json) == ["greetcore", "greetlib", "greetweb"]
