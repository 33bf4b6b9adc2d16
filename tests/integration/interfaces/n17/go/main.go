// Asks every address given, all at once, and prints protocol, status and body of each in the same order.
//
//	client AUTHORITY.pem ADDRESS...
//
// https: Go's own client, which agrees on HTTP/2 by ALPN. http: HTTP/2 with prior knowledge by golang.org/x/net,
// the way 5G cores written in Go do it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"golang.org/x/net/http2"
)

func main() {
	trusted := x509.NewCertPool()
	if authority, problem := os.ReadFile(os.Args[1]); problem == nil {
		trusted.AppendCertsFromPEM(authority)
	}
	secured := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: trusted},
		ForceAttemptHTTP2: true,
	}}
	clear := &http.Client{Transport: &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(_ context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, address)
		},
	}}
	var wait sync.WaitGroup
	answers := make([]string, len(os.Args)-2)
	for place, address := range os.Args[2:] {
		wait.Add(1)
		go func(place int, address string) {
			defer wait.Done()
			client := clear
			if strings.HasPrefix(address, "https:") {
				client = secured
			}
			answer, problem := client.Get(address)
			if problem != nil {
				answers[place] = problem.Error()
				return
			}
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			answers[place] = fmt.Sprintf("%s %d %s", answer.Proto, answer.StatusCode, body)
		}(place, address)
	}
	wait.Wait()
	for _, answer := range answers {
		fmt.Println(answer)
	}
}
