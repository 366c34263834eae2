"""Access requests 投诉登记档案查阅申请 (P14)."""

from access.requests.handling import Requests
from access.requests.request import Approval, Request
from access.workflow import RequestState

__all__ = ["Approval", "Request", "RequestState", "Requests"]
