"""Networks: encoders, decoders and transfer networks.

All architectures have the same interface: encoders map images float (B, 3, 256, 256) in [-1, 1] to
representations (B, 8, 16, 16), which decoders and transfer networks read. Encoders and pixel decoders take
any size.
"""
