"""Theme tokens of gradio's components. The colours are defined in `tokens.css`."""

from __future__ import annotations

from pathlib import Path

from gradio.themes import Base

_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

# Copied here, as the page is painted with these two before its styles are loaded.
_PAPER, _PAPER_DARK = "#f6f5f1", "#121316"
_INK, _INK_DARK = "#16181d", "#ececf0"

_INK_NAME, _QUIET, _LINE = "var(--tb-ink)", "var(--tb-quiet)", "var(--tb-line)"
_PANEL, _SOFT, _ACCENT = "var(--tb-panel)", "var(--tb-soft)", "var(--tb-accent)"
_ON_ACCENT = "var(--tb-accent-ink)"

_TOKENS = {
    "body_text_size": "15px",
    "body_text_color_subdued": _QUIET,
    "background_fill_primary": _PANEL,
    "background_fill_secondary": "var(--tb-paper)",
    "border_color_primary": _LINE,
    "border_color_accent": _ACCENT,
    "border_color_accent_subdued": _LINE,
    "color_accent_soft": _SOFT,
    "link_text_color": _ACCENT,
    "link_text_color_hover": _ACCENT,
    "link_text_color_active": _ACCENT,
    "link_text_color_visited": _ACCENT,
    "code_background_fill": _SOFT,
    "block_background_fill": _PANEL,
    "block_border_color": _LINE,
    "block_border_width": "1px",
    "block_shadow": "none",
    "block_info_text_color": _QUIET,
    "block_label_background_fill": _PANEL,
    "block_label_border_color": _LINE,
    "block_label_text_color": _QUIET,
    "block_title_text_color": _INK_NAME,
    "panel_background_fill": _PANEL,
    "panel_border_color": _LINE,
    "accordion_text_color": _INK_NAME,
    "table_text_color": _INK_NAME,
    "table_border_color": _LINE,
    "table_even_background_fill": _PANEL,
    "table_odd_background_fill": _PANEL,
    "table_row_focus": _SOFT,
    "input_background_fill": _PANEL,
    "input_background_fill_focus": _PANEL,
    "input_border_width": "1px",
    "input_border_color": "var(--tb-edge)",
    "input_border_color_focus": _ACCENT,
    "input_placeholder_color": _QUIET,
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "checkbox_background_color": _PANEL,
    "checkbox_background_color_hover": _SOFT,
    "checkbox_background_color_focus": _PANEL,
    "checkbox_background_color_selected": _ACCENT,
    "checkbox_border_color": "var(--tb-edge)",
    "checkbox_border_color_hover": _ACCENT,
    "checkbox_border_color_focus": _ACCENT,
    "checkbox_border_color_selected": _ACCENT,
    "checkbox_shadow": "none",
    "checkbox_label_background_fill": _PANEL,
    "checkbox_label_background_fill_hover": _SOFT,
    "checkbox_label_background_fill_selected": _SOFT,
    "checkbox_label_border_color": _LINE,
    "checkbox_label_border_color_hover": _ACCENT,
    "checkbox_label_border_color_selected": _ACCENT,
    "checkbox_label_shadow": "none",
    "checkbox_label_text_color": _INK_NAME,
    "checkbox_label_text_color_selected": _INK_NAME,
    "slider_color": _ACCENT,
    "loader_color": _ACCENT,
    "stat_background_fill": _SOFT,
    "error_background_fill": _PANEL,
    "error_border_color": "var(--tb-bad)",
    "error_text_color": "var(--tb-bad)",
    "error_icon_color": "var(--tb-bad)",
    "button_border_width": "1px",
    "button_primary_background_fill": _ACCENT,
    "button_primary_background_fill_hover": "var(--tb-accent-strong)",
    "button_primary_border_color": _ACCENT,
    "button_primary_border_color_hover": "var(--tb-accent-strong)",
    "button_primary_text_color": _ON_ACCENT,
    "button_primary_text_color_hover": _ON_ACCENT,
    "button_secondary_background_fill": _PANEL,
    "button_secondary_background_fill_hover": _SOFT,
    "button_secondary_border_color": "var(--tb-edge)",
    "button_secondary_border_color_hover": _ACCENT,
    "button_secondary_text_color": _INK_NAME,
    "button_secondary_text_color_hover": _INK_NAME,
    "button_cancel_background_fill": _PANEL,
    "button_cancel_background_fill_hover": _SOFT,
    "button_cancel_border_color": "var(--tb-edge)",
    "button_cancel_text_color": _INK_NAME,
}
"""gradio's token -> value, the same in light and dark mode, as the names of colours are."""


def make_theme() -> Base:
    """Make the theme of the page."""
    theme = Base(radius_size="lg", spacing_size="md", font=_FONTS, font_mono=_MONO_FONTS)
    dark = {f"{name}_dark": value for name, value in _TOKENS.items() if hasattr(theme, f"{name}_dark")}
    theme.custom_css = (Path(__file__).parent / "assets" / "tokens.css").read_text(encoding="utf-8")
    return theme.set(
        body_background_fill=_PAPER,
        body_background_fill_dark=_PAPER_DARK,
        body_text_color=_INK,
        body_text_color_dark=_INK_DARK,
        block_title_text_weight="600",
        block_label_text_weight="500",
        button_large_text_weight="600",
        **_TOKENS,
        **dark,
    )
