"""Where the child process starts. Run by path, so that no folder of the user shadows what is imported here."""

import sys

sys.path.pop(0)  # this folder: Python put it there

if __name__ == "__main__":
    _root = sys.argv[2]
    try:
        import unstuck  # noqa: F401
    except ImportError:  # the parent found the package through its own sys.path
        sys.path.append(_root)
    from unstuck.launch.child import main

    main(sys.argv[1])
