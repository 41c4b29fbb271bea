"""Calls a running Muster with a client generated from proto/, and prints what it saw as JSON."""

import json
import sys

import grpc
from google.protobuf import field_mask_pb2
from muster.v1 import events_pb2, events_pb2_grpc, machines_pb2, machines_pb2_grpc
from muster.v1 import sessions_pb2, sessions_pb2_grpc, users_pb2, users_pb2_grpc

TIMEOUT_SECONDS = 30


def refusal(call):
    try:
        call()
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or ())
        return {
            "code": error.code().name,
            "message": error.details(),
            "names_field": b"page_size" in metadata.get("grpc-status-details-bin", b""),
        }
    raise AssertionError("It was not refused")


def watch(events, metadata, machine_id):
    """The first event of the machine; ends the stream itself."""
    request = events_pb2.WatchEventsRequest(after=0, machine_id=machine_id)
    stream = events.WatchEvents(request, metadata=metadata, timeout=TIMEOUT_SECONDS)
    event = next(stream).event
    stream.cancel()
    return {"type": event.type, "actor": event.actor, "same_machine": event.machine_id == machine_id}


def main(address, username, password, service_tag):
    with grpc.insecure_channel(address) as channel:
        machines = machines_pb2_grpc.MachineServiceStub(channel)
        login = sessions_pb2_grpc.SessionServiceStub(channel).Login(
            sessions_pb2.LoginRequest(username=username, password=password),
            timeout=TIMEOUT_SECONDS,
        )
        metadata = (("authorization", "Bearer " + login.token),)
        options = {"metadata": metadata, "timeout": TIMEOUT_SECONDS}
        me = users_pb2_grpc.UserServiceStub(channel).GetCurrentUser(
            users_pb2.GetCurrentUserRequest(), **options
        )
        created = machines.CreateMachine(
            machines_pb2.CreateMachineRequest(machine=machines_pb2.Machine(service_tag=service_tag)),
            **options,
        ).machine
        updated = machines.UpdateMachine(
            machines_pb2.UpdateMachineRequest(
                machine=machines_pb2.Machine(id=created.id, hostname="generated", description="x"),
                update_mask=field_mask_pb2.FieldMask(paths=["hostname"]),
            ),
            **options,
        ).machine
        listed = machines.ListMachines(
            machines_pb2.ListMachinesRequest(states=[machines_pb2.Machine.STATE_EXPECTED]), **options
        ).machines
        seen = {
            "role": users_pb2.User.Role.Name(me.user.role),
            "state": machines_pb2.Machine.State.Name(created.state),
            "hostname": updated.hostname,
            "description": updated.description,
            "listed": [machine.service_tag for machine in listed if machine.id == created.id],
            "event": watch(events_pb2_grpc.EventServiceStub(channel), metadata, created.id),
            "missing": refusal(
                lambda: machines.GetMachine(machines_pb2.GetMachineRequest(id="nobody"), **options)
            ),
            "invalid": refusal(
                lambda: machines.ListMachines(
                    machines_pb2.ListMachinesRequest(page_size=5000), **options
                )
            ),
            "anonymous": refusal(
                lambda: machines.GetMachine(
                    machines_pb2.GetMachineRequest(id=created.id), timeout=TIMEOUT_SECONDS
                )
            ),
        }
    print(json.dumps(seen))


main(*sys.argv[1:])
