"""An OpenID Connect provider as a process of its own: discovery, keys, code flow with PKCE, signed tokens.

    python oidc_provider.py PORT

Whoever it should vouch for stands in the address of its log-in page (`as`), as JSON of claims; so does what
it should do wrong (`wrong`), for a provider that is broken or taken over.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "register", "what the provider gave to the register"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CODES: dict[str, dict[str, Any]] = {}


def jwks() -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}


def id_token(issuer: str, asked: dict[str, Any]) -> str:
    now, wrong = int(time.time()), asked["wrong"]
    claims = {
        "iss": "https://somebody.else" if wrong == "issuer" else issuer,
        "aud": "somebody-else" if wrong == "audience" else CLIENT,
        "iat": now - 7200 if wrong == "expired" else now,
        "exp": now - 3600 if wrong == "expired" else now + 300,
        "nonce": "another" if wrong == "nonce" else asked["nonce"],
        **asked["claims"],
    }
    if wrong == "no_nonce":
        del claims["nonce"]
    if wrong == "parties":
        claims["aud"] = [CLIENT, "somebody-else"]
    if wrong == "unsigned":
        return jwt.encode(claims, None, algorithm="none")  # type: ignore[arg-type]
    if wrong == "shared_secret":
        return jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "one"})
    key = OTHER_KEY if wrong == "key" else KEY
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "two" if wrong == "kid" else "one"})


class Provider(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        elif parts.path == "/keys":
            self.answer(jwks())
        elif parts.path == "/authorize":
            self.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
        else:
            self.answer({"error": "not_found"}, 404)

    def authorize(self, asked: dict[str, str]) -> None:
        right = (
            asked.get("client_id") == CLIENT
            and asked.get("response_type") == "code"
            and asked.get("code_challenge_method") == "S256"
            and "openid" in asked.get("scope", "").split()
            and len(asked.get("nonce", "")) >= 32
        )
        if not right:
            self.answer({"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe(16)
        CODES[code] = {**asked, "claims": json.loads(asked["as"]), "wrong": asked.get("wrong", "")}
        back = urlencode({"code": code, "state": asked["state"]})
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{back}")
        self.end_headers()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        asked = CODES.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        right = (
            asked is not None
            and form.get("grant_type") == "authorization_code"
            and (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
            and form.get("redirect_uri") == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if asked is None or not right:
            self.answer({"error": "invalid_grant"}, 400)
            return
        given = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
        if asked["wrong"] != "no_token":
            given["id_token"] = id_token(self.issuer, asked)
        self.answer(given)

    def answer(self, body: dict[str, Any], status: int = 200) -> None:
        octets = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider).serve_forever()
