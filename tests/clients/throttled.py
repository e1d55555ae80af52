"""A presenced whose budget of presence comes back in five seconds, not thirty, so that a test of retries is short.

All else is the server as it is: the window is the one thing changed. Called with presenced and its arguments.
"""

import sys

from presenced.cli import main
from presenced.graph import throttle

if __name__ == "__main__":
    throttle.PRESENCE_WINDOW = 5.0
    sys.argv = sys.argv[1:]
    main()
