package dialect

import (
	"strings"

	v1 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1"
	v11 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1_1"
	v1beta1 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v1beta1"
	v2 "github.com/genode-operator/genode-operator/internal/gateway/proto/openoffload/v2"
)

// Dialect is a service of the later family.
type Dialect struct {
	Service string // full name
	Camel   bool   // methods begin with a small letter
	Pascal  bool   // methods begin with a capital letter
	// Shutdown: it has the method shutdownServer.
	Shutdown bool
}

// Dialects are those that are served. openoffload.v1 has its methods by both kinds of names: its successor was tried
// under the same name of the package first.
func Dialects() []Dialect {
	return []Dialect{
		{Service: v1.SessionTable_ServiceDesc.ServiceName, Camel: true, Pascal: true},
		{Service: v1beta1.SessionTable_ServiceDesc.ServiceName, Camel: true},
		{Service: v11.SessionTable_ServiceDesc.ServiceName, Camel: true, Shutdown: true},
		{Service: v2.SessionTable_ServiceDesc.ServiceName, Pascal: true},
	}
}

// Methods are the names that a method, such as addSession, has in this dialect; none if it does not have it.
func (d Dialect) Methods(method string) (names []string) {
	if method == "shutdownServer" && !d.Shutdown {
		return nil
	}
	if d.Camel {
		names = append(names, method)
	}
	if d.Pascal {
		names = append(names, strings.ToUpper(method[:1])+method[1:])
	}
	return names
}
