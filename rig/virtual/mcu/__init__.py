"""An STM32F405 in simulated time, from ST's reference manual RM0090; the only package that needs Unicorn."""

from rig.virtual.mcu.core import Stm32F405

__all__ = ["Stm32F405"]
