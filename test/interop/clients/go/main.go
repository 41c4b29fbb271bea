// Calls a running Muster with a client generated from proto/, and prints what it saw as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	validate "example.com/client/gen/buf/validate"
	muster "example.com/client/gen/muster/v1"
)

const timeout = 60 * time.Second

type refusal struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	NamesField bool   `json:"names_field"`
}

type seen struct {
	Role        string         `json:"role"`
	State       string         `json:"state"`
	Hostname    string         `json:"hostname"`
	Description string         `json:"description"`
	Listed      []string       `json:"listed"`
	Event       map[string]any `json:"event"`
	Missing     refusal        `json:"missing"`
	Invalid     refusal        `json:"invalid"`
	Anonymous   refusal        `json:"anonymous"`
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address, username, password, serviceTag string) error {
	anonymous, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()

	sessions := muster.NewSessionServiceClient(connection)
	login, err := sessions.Login(anonymous, &muster.LoginRequest{Username: username, Password: password})
	if err != nil {
		return err
	}
	ctx := metadata.AppendToOutgoingContext(anonymous, "authorization", "Bearer "+login.Token)
	var result seen
	me, err := muster.NewUserServiceClient(connection).GetCurrentUser(ctx, &muster.GetCurrentUserRequest{})
	if err != nil {
		return err
	}
	result.Role = me.User.Role.String()
	machines := muster.NewMachineServiceClient(connection)
	id, err := change(ctx, machines, serviceTag, &result)
	if err != nil {
		return err
	}
	if result.Event, err = watch(ctx, muster.NewEventServiceClient(connection), id); err != nil {
		return err
	}
	_, err = machines.GetMachine(ctx, &muster.GetMachineRequest{Id: "nobody"})
	result.Missing = refused(err)
	_, err = machines.ListMachines(ctx, &muster.ListMachinesRequest{PageSize: 5000})
	result.Invalid = refused(err)
	_, err = machines.GetMachine(anonymous, &muster.GetMachineRequest{Id: id})
	result.Anonymous = refused(err)
	return json.NewEncoder(os.Stdout).Encode(result)
}

// change creates a machine, updates it, and finds it in the list.
func change(ctx context.Context, machines muster.MachineServiceClient, serviceTag string, result *seen) (string, error) {
	created, err := machines.CreateMachine(ctx, &muster.CreateMachineRequest{
		Machine: &muster.Machine{ServiceTag: serviceTag},
	})
	if err != nil {
		return "", err
	}
	id := created.Machine.Id
	result.State = created.Machine.State.String()
	updated, err := machines.UpdateMachine(ctx, &muster.UpdateMachineRequest{
		Machine:    &muster.Machine{Id: id, Hostname: "generated", Description: "x"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"hostname"}},
	})
	if err != nil {
		return "", err
	}
	result.Hostname = updated.Machine.Hostname
	result.Description = updated.Machine.Description
	listed, err := machines.ListMachines(ctx, &muster.ListMachinesRequest{
		States: []muster.Machine_State{muster.Machine_STATE_EXPECTED},
	})
	if err != nil {
		return "", err
	}
	for _, machine := range listed.Machines {
		if machine.Id == id {
			result.Listed = append(result.Listed, machine.ServiceTag)
		}
	}
	return id, nil
}

// watch gives the first event of the machine and ends the stream itself.
func watch(ctx context.Context, events muster.EventServiceClient, machineID string) (map[string]any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	after := uint64(0)
	stream, err := events.WatchEvents(ctx, &muster.WatchEventsRequest{After: &after, MachineId: machineID})
	if err != nil {
		return nil, err
	}
	message, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	event := message.Event
	return map[string]any{
		"type": event.Type, "actor": event.Actor, "same_machine": event.MachineId == machineID,
	}, nil
}

// refused tells a refusal by its code; the broken rules come as a typed detail.
func refused(err error) refusal {
	answer := status.Convert(err)
	namesField := false
	for _, detail := range answer.Details() {
		if violations, ok := detail.(*validate.Violations); ok {
			for _, violation := range violations.Violations {
				for _, element := range violation.GetField().GetElements() {
					namesField = namesField || element.GetFieldName() == "page_size"
				}
			}
		}
	}
	return refusal{Code: answer.Code().String(), Message: answer.Message(), NamesField: namesField}
}
