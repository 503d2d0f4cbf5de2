"""Checks of videos."""

import os
import subprocess
from pathlib import Path

from wainwright.worker.sandbox.video_encoder import find_ffmpeg


def frames(video: Path) -> int:
    """Return the number of frames that can be shown, though it may have been cut off."""
    program = find_ffmpeg(os.environ)
    assert program is not None, "pip install imageio-ffmpeg"
    scaled = ["-vf", "scale=4:4", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    shown = subprocess.run(
        [program, "-v", "quiet", "-i", video, *scaled], capture_output=True, check=False, timeout=120
    )
    return len(shown.stdout) // 16
