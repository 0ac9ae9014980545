"""Networks: encoders, decoders and transfer networks. Everything here needs torch.

The contract of both architectures: images float (B, 3, 256, 256) in [-1, 1] become representations
(B, 8, 16, 16), which decoders and transfer networks read. Encoders and pixel decoders take any size.
"""
