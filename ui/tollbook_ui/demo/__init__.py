"""The main job: files of this machine go through a real document intake, measured, and the bill is itemized."""
