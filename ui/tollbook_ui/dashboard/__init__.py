"""The dashboard: Streamlit pages over the answers of this process."""
