// Decides by Casbin for Go, for the differential test: a line of JSON {"model", "policy", "requests"} in, a line with
// a list of true, false and "error" out.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
)

type question struct {
	Model    string          `json:"model"`
	Policy   string          `json:"policy"`
	Requests [][]interface{} `json:"requests"`
}

// Rules in memory, read only.
type rules string

func (r rules) LoadPolicy(m model.Model) error {
	for _, line := range strings.Split(string(r), "\n") {
		if err := persist.LoadPolicyLine(strings.TrimSpace(line), m); err != nil {
			return err
		}
	}
	return nil
}

var errReadOnly = errors.New("read only")

func (rules) SavePolicy(model.Model) error                              { return errReadOnly }
func (rules) AddPolicy(string, string, []string) error                  { return errReadOnly }
func (rules) RemovePolicy(string, string, []string) error               { return errReadOnly }
func (rules) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }

type person struct {
	Name string
	Age  float64
}

// Casbin reads attributes of structures only.
func structured(request []interface{}) []interface{} {
	for i, value := range request {
		if object, ok := value.(map[string]interface{}); ok {
			request[i] = person{object["Name"].(string), object["Age"].(float64)}
		}
	}
	return request
}

func answer(q question) []interface{} {
	answers := make([]interface{}, len(q.Requests))
	for i := range answers {
		answers[i] = "error"
	}
	m, err := model.NewModelFromString(q.Model)
	if err != nil {
		return answers
	}
	e, err := casbin.NewEnforcer(m, rules(q.Policy))
	if err != nil {
		return answers
	}
	for i, request := range q.Requests {
		if allowed, err := e.Enforce(structured(request)...); err == nil {
			answers[i] = allowed
		}
	}
	return answers
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var q question
		if json.Unmarshal(line, &q) != nil {
			os.Exit(1)
		}
		if out.Encode(answer(q)) != nil {
			os.Exit(1)
		}
	}
}
