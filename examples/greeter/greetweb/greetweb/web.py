"""The web server: / greets, /healthz tells whether it could, /version which commits it runs."""

from flask import Flask, jsonify, request

from greetcore import Service, installed


def create_app(service=None):
    app = Flask(__name__)
    service = service or Service()

    @app.get("/")
    def greet():
        text = service.greet(request.args.get("name"), request.args.get("language"))
        return text + "\n", 200, {"Content-Type": "text/plain; charset=utf-8"}

    @app.errorhandler(LookupError)
    def not_known(error):
        return f"{error}\n", 400, {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/healthz")
    def healthz():
        try:
            service.check()
        except Exception as error:  # whatever keeps us from greeting makes us unhealthy
            app.logger.exception("health check")
            return f"{type(error).__name__}: {error}\n", 503, {"Content-Type": "text/plain; charset=utf-8"}
        return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/version")
    def version():
        return jsonify(installed())

    return app
