"""The page of the command line, made of the commands themselves."""

import subprocess
import sys

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/command-line.md"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the page."""
    command = [sys.executable, "-m", "typer", "wellgram.cli", "utils", "docs", "--name", "wellgram"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    page = text.replace("# `wellgram`", "# Command line", 1)
    files.append(File.generated(config, PAGE, content=page))
    return files
