// The official Node client of RudderStack, unmodified: it sends gzip JSON. Arguments: address of the server, write key.
import imported from "@rudderstack/rudder-sdk-node";

const RudderAnalytics = imported.default ?? imported;
const [dataPlaneUrl, writeKey] = process.argv.slice(2);
const failures = [];
const client = new RudderAnalytics(writeKey, {
  dataPlaneUrl,
  flushAt: 20,
  errorHandler: (error) => failures.push(error),
});
client.track({ anonymousId: "node-visitor", event: "Product Viewed", properties: { sku: "S1" } });
client.page({ anonymousId: "node-visitor", name: "Home", properties: { path: "/" } });
client.identify({
  userId: "node-user",
  anonymousId: "node-visitor",
  traits: { email: "node@example.com", firstName: "Nora", lastName: "Node" },
});
client.screen({ userId: "node-user", name: "Basket" });
client.group({ userId: "node-user", groupId: "node-company", traits: { name: "Node GmbH" } });
client.alias({ userId: "node-user", previousId: "node-visitor-2" });
await new Promise((resolve) => client.flush(resolve));
if (failures.length > 0) {
  console.error(failures);
  process.exit(1);
}
process.exit(0);
