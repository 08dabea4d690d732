"""Python where libfaketime moves the clock: its version 0.9 refuses the call by which Python sleeps. Import it first."""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], max(0, seconds)) and None
