// Descriptor 3 is this worker's own Unix socket: bound, and listening since before the process existed.
const http = require('http');

const server = http.createServer((request, response) => {
  if (request.method === 'POST') {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    request.pipe(response);
    return;
  }
  const body = `Hello from Node, process ${process.pid}\n`;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
});

server.listen({ fd: 3 });

// Portherd has stopped sending work before it sends TERM: finish what runs, then leave.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
