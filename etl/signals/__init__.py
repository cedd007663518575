"""What a refresh notices by itself: abnormal moves, records of market value, apps that rise, and both at once.

Nothing here claims a cause.
"""
