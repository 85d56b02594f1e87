// Starts ReDoc. The page tells where the document is, in a data attribute.
"use strict";

(() => {
  // ReDoc's footer asks for a logo from elsewhere, and leaves it out when it does not come.
  const image = HTMLImageElement.prototype;
  const src = Object.getOwnPropertyDescriptor(image, "src");
  const inside = (value) => (/^https?:/.test(value) ? "data:," : value);
  Object.defineProperty(image, "src", {
    ...src,
    set(value) {
      src.set.call(this, inside(value));
    },
  });
  image.setAttribute = function (name, value) {
    Element.prototype.setAttribute.call(this, name, name === "src" ? inside(value) : value);
  };
  const root = document.getElementById("docs");
  Redoc.init(root.dataset.openapi, { nativeScrollbars: true, sanitize: true }, root);
})();
