package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
)

// Where taskgen put its documents.
const (
	mongoURL        = "mongodb://localhost:27017"
	mongoDatabase   = "tasksets"
	mongoCollection = "taskset.task"
)

// duplicateKey is MongoDB's code for a document that is there already.
const duplicateKey = 11000

// collection is what a mongodb sink needs of one.
type collection interface {
	insert(ctx context.Context, documents []any) error
	close(ctx context.Context) error
}

// stored is a document with a key of its own, so that telling it twice makes one document.
type stored struct {
	ID              string `bson:"_id"`
	export.Document `bson:",inline"`
}

// mongodb is the sink mongo.
type mongodb struct{ collection collection }

// openMongo makes a sink for the server of a URL, and its database if it names one. The server is not asked yet:
// whether it is there does not decide whether a campaign runs.
func openMongo(_ context.Context, where string, _ io.Writer) (Sink, error) {
	if path, is := strings.CutPrefix(where, "@"); is {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		where = strings.TrimSpace(string(text))
	}
	if where == "" {
		where = mongoURL
	}
	// A URL says more than the defaults do.
	o := options.Client().SetAppName("genode-operator").SetServerSelectionTimeout(notifyLimit / 2).ApplyURI(where)
	if err := o.Validate(); err != nil {
		return nil, withoutPassword(where, err)
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, withoutPassword(where, err)
	}
	database := mongoDatabase
	if u, err := url.Parse(where); err == nil && strings.Trim(u.Path, "/") != "" {
		database = strings.Trim(u.Path, "/")
	}
	return &mongodb{&server{client, client.Database(database).Collection(mongoCollection)}}, nil
}

// withoutPassword is an error about a URL that does not tell its password.
func withoutPassword(where string, err error) error {
	u, bad := url.Parse(where)
	if bad != nil || u.Opaque != "" || u.User == nil && strings.Contains(where, "@") {
		return errors.New("its URL cannot be read; one looks like mongodb://user:password@host:27017/tasksets, with special characters of the password as %XX")
	}
	text := err.Error()
	if password, given := u.User.Password(); given && password != "" {
		text = strings.ReplaceAll(text, password, "xxxxx")
	}
	return fmt.Errorf("%s: %s", u.Redacted(), text)
}

// Notify implements Sink. taskgen told of task-sets that had finished; attempts that failed are told, too.
func (m *mongodb) Notify(ctx context.Context, notices ...results.Notice) error {
	var documents []any
	for i := range notices {
		n := &notices[i]
		if n.Record == nil {
			continue
		}
		for _, d := range export.Documents(export.Entry{Name: n.Name, Record: n.Record, Tasks: n.Tasks}) {
			key := fmt.Sprintf("%s/%d/%d/%d", n.Campaign, n.Variant, n.Attempt, d.Description.ID)
			documents = append(documents, stored{ID: key, Document: d})
		}
	}
	if len(documents) == 0 {
		return nil
	}
	return m.collection.insert(ctx, documents)
}

// Close implements Sink.
func (m *mongodb) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return m.collection.close(ctx)
}

// server is a collection of a real server.
type server struct {
	client     *mongo.Client
	collection *mongo.Collection
}

func (s *server) insert(ctx context.Context, documents []any) error {
	_, err := s.collection.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	if onlyDuplicates(err) {
		return nil
	}
	return err
}

func (s *server) close(ctx context.Context) error { return s.client.Disconnect(ctx) }

// onlyDuplicates reports whether nothing else was wrong with a write than that some documents were there already.
func onlyDuplicates(err error) bool {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return false
	}
	for _, e := range bulk.WriteErrors {
		if e.Code != duplicateKey {
			return false
		}
	}
	return len(bulk.WriteErrors) > 0
}
