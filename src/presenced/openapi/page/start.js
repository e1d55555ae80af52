// Starts Swagger UI on this server's own description. It is a file of its own because the page allows no inline script.
const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null, // it would send the description to a server elsewhere
});
ui.initOAuth({ scopes: "https://graph.microsoft.com/.default" });
