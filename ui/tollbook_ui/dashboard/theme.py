"""Streamlit's options for the dashboard: colours for light and dark, nothing fetched, nothing reported."""

from typing import Any

from streamlit import config

from tollbook_ui.look import palette

LIGHT = {
    "primaryColor": "#0b6e55",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f5f4f0",
    "textColor": "#1f2328",
    "borderColor": "#dedbd3",
    "linkColor": "#0b6e55",
}
DARK = {
    "primaryColor": "#4fbf9a",
    "backgroundColor": "#16181c",
    "secondaryBackgroundColor": "#1f2227",
    "textColor": "#e6e4df",
    "borderColor": "#34383f",
    "linkColor": "#4fbf9a",
}
SHARED = {
    "theme.baseRadius": "6px",
    "theme.showWidgetBorder": True,
    "theme.baseFontSize": 15,
    "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    "theme.headingFontSizes": ["1.7rem", "1.25rem", "1.05rem", "1rem", "1rem", "1rem"],
    "theme.chartCategoricalColors": list(palette.SERIES),
}
QUIET = {
    "browser.gatherUsageStats": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "logger.level": "warning",
}


def options() -> dict[str, Any]:
    """Every option the dashboard sets, by Streamlit's name."""
    light = {f"theme.light.{name}": value for name, value in LIGHT.items()}
    dark = {f"theme.dark.{name}": value for name, value in DARK.items()}
    return {**QUIET, **SHARED, **light, **dark}


def apply() -> None:
    """Sets the options in this process, over any file or environment."""
    for name, value in options().items():
        config.set_option(name, value, "the dashboard's own theme")
