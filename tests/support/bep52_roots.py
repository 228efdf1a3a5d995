"""Roots of made-up files as BEP 52 defines them, computed from its text alone with hashlib.

Run it to make src/core/merkle_vectors.inc anew:
    python3 tests/support/bep52_roots.py > src/core/merkle_vectors.inc
"""

import hashlib

BLOCK = 16 * 1024


def content(size):
    return bytes((i * 7 + i // 251) & 0xFF for i in range(size))


def root(data):
    leaves = [hashlib.sha256(data[i:i + BLOCK]).digest() for i in range(0, len(data), BLOCK)]
    width = 1
    while width < len(leaves):
        width *= 2
    leaves += [bytes(32)] * (width - len(leaves))  # "the remaining leaf hashes are set to zero"
    while len(leaves) > 1:
        leaves = [hashlib.sha256(leaves[i] + leaves[i + 1]).digest()
                  for i in range(0, len(leaves), 2)]
    return leaves[0].hex()


if __name__ == "__main__":
    for size in (1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK, 5 * BLOCK + 17,
                 1 << 20, (1 << 20) + 1, 3 << 20, 5 * (1 << 20) + 12345):
        print(f'    {{{size}, "{root(content(size))}"}},')
