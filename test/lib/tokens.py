# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens, signed by openssl, and the key sets that go with them."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

ISSUER, AUDIENCE = "https://id.example/", "files"
SECRET = b"0123456789abcdef0123456789abcdef"
KINDS = {"RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
         "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "EdDSA": ["ED25519"]}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


class Key:
    """One of openssl's, and what a key set says of it."""

    def __init__(self, folder, algorithm, kid=None):
        self.algorithm, self.kid, self.path = algorithm, kid or algorithm, folder / f"{kid or algorithm}.pem"
        openssl("genpkey", "-algorithm", *KINDS[algorithm], "-out", str(self.path))
        self.pem = openssl("pkey", "-in", str(self.path), "-pubout")
        self.der = openssl("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")

    def jwk(self):
        more = {}
        if self.algorithm == "RS256":
            text = openssl("rsa", "-in", str(self.path), "-noout", "-modulus").decode()
            more = {"kty": "RSA", "n": encode(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
        elif self.algorithm == "ES256":
            more = {"kty": "EC", "crv": "P-256", "x": encode(self.der[-64:-32]), "y": encode(self.der[-32:])}
        else:
            more = {"kty": "OKP", "crv": "Ed25519", "x": encode(self.der[-32:])}
        return {"kid": self.kid, "use": "sig", **more}

    def sign(self, text, folder):
        if self.algorithm == "EdDSA":
            (folder / "text").write_bytes(text)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(folder / "text"))
        signature = openssl("dgst", "-sha256", "-sign", str(self.path), data=text)
        if self.algorithm == "RS256":
            return signature
        r_len = signature[3]
        r, s = signature[4:4 + r_len], signature[6 + r_len:]
        return b"".join(part.lstrip(b"\0").rjust(32, b"\0") for part in (r, s))


class Secret:
    algorithm, kid = "HS256", "HS256"

    def __init__(self, secret=SECRET):
        self.secret = secret

    def jwk(self):
        return {"kty": "oct", "kid": self.kid, "k": encode(self.secret)}

    def sign(self, text, _):
        return hmac.new(self.secret, text, hashlib.sha256).digest()


def claims(**more):
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": int(time.time()) + 600, **more}


def token(key, folder, header=None, **more):
    head = {"alg": key.algorithm, "kid": key.kid} if header is None else header
    text = encode(json.dumps(head).encode()) + "." + encode(json.dumps(claims(**more)).encode())
    return text + "." + encode(key.sign(text.encode(), folder))
