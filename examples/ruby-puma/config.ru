run lambda { |env|
  body = env["REQUEST_METHOD"] == "POST" ? env["rack.input"].read : "Hello from Puma, process #{Process.pid}\n"
  [200, { "Content-Type" => "text/plain", "Content-Length" => body.bytesize.to_s }, [body]]
}
