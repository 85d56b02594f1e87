// Starts Swagger UI. The page tells where the document is, in data attributes.
"use strict";

(async () => {
  const root = document.getElementById("docs");
  const base = location.origin + root.dataset.base;
  const answer = await fetch(root.dataset.openapi);
  const spec = await answer.json();
  // Requests go to the server that serves this page, whatever its public name is.
  spec.servers = [{ url: base || location.origin }];
  for (const scheme of Object.values(spec.components?.securitySchemes ?? {})) {
    for (const flow of Object.values(scheme.flows ?? {})) {
      if (flow.tokenUrl?.startsWith("/")) flow.tokenUrl = base + flow.tokenUrl;
    }
  }
  SwaggerUIBundle({
    spec,
    domNode: root,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
