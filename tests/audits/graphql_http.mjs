// The public audits of GraphQL over HTTP, against the server and with the key of the command line. One JSON list on stdout.
import { serverAudits } from "graphql-http";

const [url, key] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
    fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });

const found = [];
for (const audit of serverAudits({ url, fetchFn })) {
    const { status, reason } = await audit.fn();
    found.push({ id: audit.id, name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(found));
