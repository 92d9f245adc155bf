"""Certificates for those Splitmail talks to.

    ca = Certificate(folder, "ca.test")
    mx = Certificate(folder, "mx.b.example", ca)
    world.sink(tls=mx.tls)
"""

import base64
import hashlib
import os
import ssl
import subprocess


class Certificate:
    """NAME's, by ISSUER or by itself."""

    def __init__(self, folder, name, issuer=None):
        self.pem = os.path.join(folder, f"{name}.pem")
        self.key = os.path.join(folder, f"{name}.key")
        signed = ["-CA", issuer.pem, "-CAkey", issuer.key] if issuer else []
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", *signed,
             "-keyout", self.key, "-out", self.pem], check=True,
            capture_output=True)
        if issuer:
            with open(self.pem, "a") as mine, open(issuer.pem) as its:
                mine.write(its.read())
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.pem, self.key)

    def print(self, *what):
        """Of the key (-pubkey) or all of it."""
        text = subprocess.run(["openssl", "x509", "-in", self.pem, *what],
                              check=True, capture_output=True).stdout
        body = b"".join(line for line in text.splitlines()
                        if not line.startswith(b"-----"))
        return hashlib.sha256(base64.b64decode(body)).hexdigest()
