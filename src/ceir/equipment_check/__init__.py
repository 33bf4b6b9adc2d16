from ceir.equipment_check.checker import Checker, Question, Values
from ceir.equipment_check.status import Answer, EquipmentStatus, Reason

__all__ = ["Answer", "Checker", "EquipmentStatus", "Question", "Reason", "Values"]
