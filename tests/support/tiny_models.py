"""Models of transformers and timm made from tiny configurations, with random weights, saved as folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file

WORDS = ["[UNK]", "[PAD]", "a", "photo", "of", "this", "is", "bedroom", "kitchen", "office", "."]


def library() -> Any:
    """Return transformers, which types only a part of its classes."""
    import transformers

    return transformers


def save_encoder(folder: Path, kind: str) -> Path:
    """An encoder: `dinov2_with_registers`, `vit` with a classifier, or `convnext`; 56 px."""
    t = library()
    small = {
        "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
        "image_size": 56, "patch_size": 14,
    }  # fmt: skip
    if kind == "vit":
        _save(t.ViTForImageClassification, t.ViTConfig(**small), folder)
    elif kind == "convnext":
        _save(t.ConvNextModel, t.ConvNextConfig(num_stages=2, hidden_sizes=[8, 16], depths=[1, 1]), folder)
    else:
        config = t.Dinov2WithRegistersConfig(num_register_tokens=4, **small)
        _save(t.Dinov2WithRegistersModel, config, folder)
    colours = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    t.ViTImageProcessor(size={"height": 56, "width": 56}, **colours).save_pretrained(folder)
    return folder


def save_dense(folder: Path) -> Path:
    """TIPSv2 with heads for depth, normals and 150 classes."""
    t = library()

    backbone = {
        "model_type": "tipsv2_vision_model", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
        "intermediate_size": 32, "image_size": 56, "patch_size": 14, "out_indices": [1, 2, 3, 4],
        "apply_layernorm": True, "reshape_hidden_states": False,
    }  # fmt: skip
    config = t.Tipsv2DptConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        num_depth_bins=8,
        num_labels=150,
    )
    _save(t.Tipsv2DptForDensePrediction, config, folder)
    t.Tipsv2DptImageProcessor(size={"height": 56, "width": 56}).save_pretrained(folder)
    return folder


def save_depth_anything(folder: Path, kind: str = "relative") -> Path:
    """Depth Anything, relative or metric."""
    t = library()

    backbone = t.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=56, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = t.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        head_hidden_size=8, depth_estimation_type=kind, max_depth=20 if kind == "metric" else 1,
    )  # fmt: skip
    _save(t.DepthAnythingForDepthEstimation, config, folder)
    t.DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    ).save_pretrained(folder)
    return folder


def save_segformer(folder: Path, labels: Mapping[int, str]) -> Path:
    """SegFormer with named classes."""
    t = library()

    config = t.SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[4, 1], hidden_sizes=[8, 16], patch_sizes=[7, 3],
        strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=8,
        id2label=dict(labels), label2id={name: number for number, name in labels.items()},
    )  # fmt: skip
    _save(t.SegformerForSemanticSegmentation, config, folder)
    t.SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def save_sapiens(folder: Path) -> Path:
    """Sapiens2 with a head for normals."""
    t = library()

    config = t.Sapiens2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=[64, 48],
        patch_size=16, num_labels=3, head_config={"upsample_out_channels": [8, 8], "conv_out_channels": [8]},
    )  # fmt: skip
    _save(t.Sapiens2ForNormalEstimation, config, folder)
    t.Sapiens2ImageProcessor(size={"height": 64, "width": 48}).save_pretrained(folder)
    return folder


def save_clip(folder: Path, kind: str = "clip") -> Path:
    """CLIP or SigLIP with a tokenizer of eleven words."""
    t = library()
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = t.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", eos_token="[PAD]", model_max_length=16
    )
    text = {
        "vocab_size": len(WORDS), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 16, "eos_token_id": 1, "pad_token_id": 1, "bos_token_id": 0,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    size = {"height": 32, "width": 32}
    if kind == "clip":
        _save(t.CLIPModel, t.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8), folder)
        t.CLIPProcessor(
            t.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size), tokenizer
        ).save_pretrained(folder)
    else:
        _save(t.SiglipModel, t.SiglipConfig(text_config=text, vision_config=vision), folder)
        t.SiglipProcessor(t.SiglipImageProcessor(size=size), tokenizer).save_pretrained(folder)
    return folder


def save_matcher(folder: Path) -> Path:
    """EfficientLoFTR with few channels."""
    t = library()

    config = t.EfficientLoFTRConfig(
        stage_num_blocks=[1, 1, 1], out_features=[8, 16, 16], stage_stride=[2, 1, 2], hidden_size=16,
        num_attention_layers=1, num_attention_heads=8, coarse_matching_threshold=0.0,
    )  # fmt: skip
    _save(t.EfficientLoFTRForKeypointMatching, config, folder)
    t.EfficientLoFTRImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def save_classifier(folder: Path, classes: int = 1000) -> Path:
    """A test network of timm with a classifier."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=classes)
    save_file(network.state_dict(), folder / "model.safetensors")
    facts = {
        "architecture": "test_resnet",
        "num_classes": classes,
        "pretrained_cfg": {"input_size": [3, 64, 64]},
    }
    (folder / "config.json").write_text(json.dumps(facts))
    return folder


def write_catalogue(path: Path, *rows: Mapping[str, Any], name: str = "mine") -> Path:
    """A catalogue with one table a row."""
    lines = ['format = "taskbank models 1"', f'name = "{name}"']
    for row in rows:
        lines += ["", "[[models]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def _save(kind: Callable[[Any], Any], config: Any, folder: Path) -> None:
    torch.manual_seed(0)
    kind(config).eval().save_pretrained(folder)
