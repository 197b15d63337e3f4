from tests.bridges.core.scene import scene

__all__ = ["scene"]
