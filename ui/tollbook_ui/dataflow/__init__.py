"""Data that moves and data that lies: what transfers, stored copies and services paid by use cost."""
