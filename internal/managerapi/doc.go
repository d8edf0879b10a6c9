// Package managerapi is the manager's HTTP API: what the Kubernetes API has no room for. It changes
// nothing but what is typed to a guest.
//
//	GET /v1/sessions?namespace=NS&watch=1          the sessions that are open, from the registry
//	GET /v1/namespaces/NS/tasksets/NAME/results    the records of a campaign, as a stream
//	GET /v1/namespaces/NS/tasksets/NAME/variants/N one variant: tasks, description, attempts
//	GET /v1/namespaces/NS/targetsessions/NAME/console a serial line, as a WebSocket
//	GET /v1/namespaces/NS/targetsessions/NAME/log     the serial log, as a stream
//
// Who may read what follows from the same rights as for the resources themselves: results of a TaskSet are
// for who may get it, the session with a target for who may list TargetSessions in its namespace;
// the serial line has rights of its own, on the subresources console and log of a TargetSession. The package
// knows no Kubernetes client: it asks a function, see Authenticate.
package managerapi
