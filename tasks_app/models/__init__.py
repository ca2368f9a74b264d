"""Models of the record, one noun per file."""

from tasks_app.models.access_ledger import AccessKind, AccessLedger
from tasks_app.models.actor import Actor, ActorKind
from tasks_app.models.api_key import ApiKey, Scope
from tasks_app.models.client_mutation import ClientMutation
from tasks_app.models.kept_response import KeptResponse
from tasks_app.models.ledger import STATE_KINDS, DefinitionLedger, FactNote, Kind, ReportedEvent, TaskLedger, TaskTail
from tasks_app.models.ledger_seal import LedgerSeal
from tasks_app.models.membership import Membership, Role
from tasks_app.models.project import Project
from tasks_app.models.rate_bucket import RateBucket
from tasks_app.models.record_epoch import RecordEpoch
from tasks_app.models.service_level import ServiceDay, ServiceMinute, ServiceTotal
from tasks_app.models.state import StateCategory, WorkflowState
from tasks_app.models.task import DeletedTask, Task, TaskWords
from tasks_app.models.tenant import Tenant, TenantOwned
from tasks_app.models.tenant_plan import TenantPlan
from tasks_app.models.user import User, email_of_login

__all__ = [
    "STATE_KINDS",
    "AccessKind",
    "AccessLedger",
    "Actor",
    "ActorKind",
    "ApiKey",
    "ClientMutation",
    "DefinitionLedger",
    "DeletedTask",
    "FactNote",
    "KeptResponse",
    "Kind",
    "LedgerSeal",
    "Membership",
    "Project",
    "RateBucket",
    "RecordEpoch",
    "ReportedEvent",
    "Role",
    "Scope",
    "ServiceDay",
    "ServiceMinute",
    "ServiceTotal",
    "StateCategory",
    "Task",
    "TaskLedger",
    "TaskTail",
    "TaskWords",
    "Tenant",
    "TenantOwned",
    "TenantPlan",
    "User",
    "WorkflowState",
    "email_of_login",
]
