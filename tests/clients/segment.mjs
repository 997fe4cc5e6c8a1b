// The official Node client of Segment, unmodified. Arguments: address of the server, write key.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 5, maxRetries: 0 });
const failures = [];
analytics.on("error", (error) => failures.push(error));
analytics.track({ anonymousId: "node-visitor", event: "Product Viewed", properties: { sku: "S1" } });
analytics.page({ anonymousId: "node-visitor", name: "Home", properties: { path: "/" } });
analytics.identify({
  userId: "node-user",
  anonymousId: "node-visitor",
  traits: { email: "node@example.com", firstName: "Nora", lastName: "Node" },
});
analytics.screen({ userId: "node-user", name: "Basket" });
analytics.group({ userId: "node-user", groupId: "node-company", traits: { name: "Node GmbH" } });
analytics.alias({ userId: "node-user", previousId: "node-visitor-2" });
await analytics.closeAndFlush();
if (failures.length > 0) {
  console.error(failures);
  process.exit(1);
}
