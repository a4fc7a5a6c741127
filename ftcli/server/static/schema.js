"use strict";
// From JSON Schema to what a person reads: a field list, and an example to start from.

const Schema = (() => {
  let root = {};

  function resolve(schema) {
    let found = schema || {};
    for (let hops = 0; found.$ref && hops < 20; hops += 1) {
      const target = found.$ref.split("/").slice(1).reduce((part, key) => (part || {})[key], root);
      const { $ref, ...rest } = found;
      found = { ...target, ...rest };
    }
    return found;
  }

  function variants(schema) {
    const found = resolve(schema);
    return found.oneOf && found.discriminator ? found.oneOf.map(resolve) : [];
  }

  function variantName(variant, schema) {
    const tag = resolve(schema).discriminator.propertyName;
    const values = ((variant.properties || {})[tag] || {}).enum || [variant.title];
    return values[0];
  }

  function typeName(schema) {
    const found = resolve(schema);
    if (found.oneOf && found.discriminator) return found.title || "one of several";
    const options = found.oneOf || found.anyOf;
    if (options) return options.map(typeName).join(" or ");
    if (found.type === "array") return `list of ${typeName(found.items)}`;
    if (found.type === "object" || found.properties) return found.title || "object";
    const types = [].concat(found.type || (found.enum ? "text" : "anything"));
    const words = types.map((type) => ({ string: "text", null: "null" })[type] || type);
    return found.format ? `${words.join(" or ")} (${found.format})` : words.join(" or ");
  }

  function example(schema, depth = 0) {
    const found = resolve(schema);
    if (found.examples && found.examples.length) return found.examples[0];
    if ("default" in found) return found.default;
    if ("const" in found) return found.const;
    if (found.enum) return found.enum[0];
    if (found.oneOf || found.anyOf) return example((found.oneOf || found.anyOf)[0], depth);
    const type = [].concat(found.type || "object")[0];
    if (type === "array") return depth > 3 ? [] : [example(found.items, depth + 1)];
    if (type === "object") {
      const needed = new Set(found.required || []);
      const members = Object.entries(found.properties || {}).filter(([name]) => needed.has(name));
      return Object.fromEntries(members.map(([name, part]) => [name, example(part, depth + 1)]));
    }
    return { number: 1, integer: 1, boolean: false, null: null }[type] ?? "";
  }

  // Models a field leads into, so that the list can be unfolded level by level.
  function inner(schema) {
    const found = resolve(schema);
    if (found.properties) return found;
    if (found.type === "array") return inner(found.items);
    for (const option of found.oneOf || found.anyOf || []) {
      const model = inner(option);
      if (model) return model;
    }
    return null;
  }

  return { use(document) { root = document; }, resolve, variants, variantName, typeName, example, inner };
})();
