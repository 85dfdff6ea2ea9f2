"""The script Streamlit runs for every visitor: frame, sidebar, then the chosen page."""

from tollbook_ui.dashboard import frame

frame.run()
