"""An NRF of a few lines: management, discovery and access tokens, with faults on demand."""

import json
import time
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NFM = "/nnrf-nfm/v1/nf-instances/"


class FakeNrf:
    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.failing: int | None = None
        self.heartbeat = 1
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    async def __rsgi__(self, scope: Any, transport: Any) -> None:
        status, document = self.answer(scope, (await transport()).decode())
        self.calls.append(f"{scope.method} {status} HTTP/{scope.http_version}")
        fields = [("content-type", "application/json"), ("retry-after", "1")]
        body = b"" if document is None else json.dumps(document).encode()
        transport.response_bytes(status, fields, body)

    def answer(self, scope: Any, body: str) -> tuple[int, object]:
        if self.failing is not None:
            return self.failing, {"status": self.failing}
        if scope.path.startswith(NFM):
            return self.management(scope.method, scope.path.removeprefix(NFM), body)
        if scope.path == "/nnrf-disc/v1/nf-instances":
            query = parse_qs(scope.query_string)
            fitting = [
                profile
                for profile in self.instances.values()
                if profile["nfType"] == query["target-nf-type"][0]
                and query["requester-nf-type"][0] in profile["allowedNfTypes"]
                and any(one["serviceName"] == query["service-names"][0] for one in profile["nfServices"])
            ]
            return 200, {"validityPeriod": 60, "nfInstances": fitting}
        if scope.path == "/oauth2/token":
            return self.token({name: values[0] for name, values in parse_qs(body).items()})
        return 404, {"status": 404}

    def management(self, method: str, instance: str, body: str) -> tuple[int, object]:
        known = instance in self.instances
        if method == "PUT":
            profile = json.loads(body)
            assert profile["nfInstanceId"] == instance
            self.instances[instance] = profile | {"heartBeatTimer": self.heartbeat}
            return (200 if known else 201), self.instances[instance]
        if not known:
            return 404, {"status": 404, "cause": "RESOURCE_URI_STRUCTURE_NOT_FOUND"}
        if method == "PATCH":
            for change in json.loads(body):
                assert change["op"] == "replace"
                self.instances[instance][change["path"][1:]] = change["value"]
        if method == "DELETE":
            del self.instances[instance]
        return 204, None

    def token(self, form: dict[str, str]) -> tuple[int, object]:
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "n5g-eir-eic":
            return 400, {"error": "invalid_scope"}
        claims = {
            "iss": "4947a69a-f61b-4bc1-b9da-47c9c5d14b64",
            "sub": form["nfInstanceId"],
            "aud": form["targetNfType"],
            "scope": form["scope"],
            "exp": int(time.time()) + 60,
        }
        token = jwt.encode(claims, self.key, algorithm="ES256")
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 60, "scope": form["scope"]}
