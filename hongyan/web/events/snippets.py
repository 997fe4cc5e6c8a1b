"""Code to copy. Written for the reader's own address and key."""

_HIDDEN = "hyw_…"


def browser(base: str, secret: str) -> str:
    return f"""<script>
!function(w){{w.hongyan=w.hongyan||{{q:[]}};["track","identify","page","group","alias","reset","consent"].forEach(
function(m){{w.hongyan[m]=w.hongyan[m]||function(){{w.hongyan.q.push([m,arguments])}}}})}}(window);
</script>
<script async src="{base}/static/build/hongyan.js" data-write-key="{secret or _HIDDEN}"></script>"""


def segment_browser(base: str, secret: str) -> str:
    return f"""// npm install @segment/analytics-next
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({{ writeKey: "{secret or _HIDDEN}", cdnURL: "{base}" }});"""


def rudderstack_browser(base: str, secret: str) -> str:
    return f"""// npm install @rudderstack/analytics-js
import {{ RudderAnalytics }} from "@rudderstack/analytics-js/bundled";

const analytics = new RudderAnalytics();
analytics.load("{secret or _HIDDEN}", "{base}", {{ configUrl: "{base}" }});"""


def curl(base: str, secret: str) -> str:
    return f"""curl {base}/v1/track \\
  --user "{secret or _HIDDEN}:" \\
  --header "Content-Type: application/json" \\
  --data '{{"userId": "customer-1", "event": "Product Viewed", "properties": {{"sku": "S1", "price": 19.9}}}}'"""


def python(base: str, secret: str) -> str:
    return f"""# pip install segment-analytics-python
import segment.analytics as analytics

analytics.host = "{base}"
analytics.write_key = "{secret or _HIDDEN}"
analytics.identify("customer-1", {{"email": "lin@example.com"}})
analytics.track("customer-1", "Product Viewed", {{"sku": "S1", "price": 19.9}})
analytics.flush()"""


def node(base: str, secret: str) -> str:
    return f"""// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ host: "{base}", writeKey: "{secret or _HIDDEN}" }});
analytics.identify({{ userId: "customer-1", traits: {{ email: "lin@example.com" }} }});
analytics.track({{ userId: "customer-1", event: "Product Viewed", properties: {{ sku: "S1", price: 19.9 }} }});
await analytics.closeAndFlush();"""
