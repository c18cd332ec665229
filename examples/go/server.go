package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func answer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "application/octet-stream")
		io.Copy(w, r.Body)
		return
	}
	fmt.Fprintf(w, "Hello from Go, process %d\n", os.Getpid())
}

func main() {
	// Descriptor 3 is this worker's own Unix socket: bound, and listening since before the process existed.
	listener, err := net.FileListener(os.NewFile(3, "portherd"))
	if err != nil {
		log.Fatal("started without a socket as descriptor 3: ", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(answer)}

	// Portherd has stopped sending work before it sends TERM: finish what runs, then leave.
	ended := make(chan struct{})
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		server.Shutdown(context.Background())
		close(ended)
	}()

	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-ended
}
