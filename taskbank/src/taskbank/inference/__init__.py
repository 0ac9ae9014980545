"""Run networks over images: preprocessing, engines, decoding and results."""
