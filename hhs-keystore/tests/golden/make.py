"""Makes the two keystores beside it from docs/keystore.md alone: an oracle that shares no code with the crate.

    python3 make.py        (needs the package `cryptography`, 45 or later)
"""

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def cbor(value):
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        for info, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32), (27, ">Q", 1 << 64)):
            if number < limit:
                return bytes([major << 5 | info]) + struct.pack(form, number)

    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    entries = sorted(value.items(), key=lambda entry: (len(entry[0]), entry[0]))
    return head(5, len(entries)) + b"".join(cbor(key) + cbor(item) for key, item in entries)


def hchacha20(key, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)
    return struct.pack("<8I", *state[:4], *state[12:])


def record(seed, name, policy, created):
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    identity = cbor({"$": "hhs/v1/Identity", "key": key, "info": {"name": name}})
    return {"identity": identity, "policy": policy, "created": created}


def summed(data):
    return data + hashlib.sha256(data).digest()


seeds = [bytes([1]) * 32, bytes([2]) * 32]
records = [
    record(seeds[0], "Ana", {"domains": ["op/v1"], "handshakes": True}, 1_700_000_000_000),
    record(seeds[1], "Ben", {"handshakes": False}, 1_700_000_000_001),
]
content = struct.pack(">H", len(seeds)) + b"".join(seeds) + cbor(records)
start = b"hhs-keystore" + struct.pack(">H", 1)

with open("plain.keystore", "wb") as file:
    file.write(summed(start + struct.pack(">H", 0) + content))

memory, passes, lanes, salt, nonce = 1024, 2, 2, bytes(range(16)), bytes(range(100, 124))
derive = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
key = derive.derive("correct horse battery staple".encode())
header = start + struct.pack(">HIII", 1, memory, passes, lanes) + salt + nonce
sealed = ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], content, header)
with open("encrypted.keystore", "wb") as file:
    file.write(summed(header + sealed))
