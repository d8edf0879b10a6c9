// Package managerapi is the manager's HTTP API: what the Kubernetes API has no room for. It only reads.
//
//	GET /v1/sessions?namespace=NS&watch=1          the sessions that are open, from the registry
//	GET /v1/namespaces/NS/tasksets/NAME/results    the records of a campaign, as a stream
//	GET /v1/namespaces/NS/tasksets/NAME/variants/N one variant: tasks, description, attempts
//
// Who may read what follows from the same rights as for the resources themselves: results of a TaskSet are
// for who may get it, the session with a target for who may list TargetSessions in its namespace. The package
// knows no Kubernetes client: it asks a function, see Authenticate.
package managerapi
