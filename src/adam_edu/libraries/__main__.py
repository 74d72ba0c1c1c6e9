"""``python -m adam_edu.libraries FOLDER`` measures a library for the atlas."""

from .measuring import main

if __name__ == "__main__":
    main()
