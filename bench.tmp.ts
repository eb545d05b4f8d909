import { TracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { ProtobufTraceSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { SpanKind, context, trace } from "@opentelemetry/api";
const spans: ReadableSpan[] = [];
const provider = new TracerProvider({ resource: resourceFromAttributes({"service.name":"orders","cloud.provider":"aws","cloud.platform":"aws_lambda","cloud.region":"eu-west-1","faas.name":"orders","faas.version":"$LATEST","faas.instance":"2026/11/21/[$LATEST]abcdef","faas.max_memory":134217728,"telemetry.sdk.language":"nodejs","telemetry.sdk.name":"opentelemetry","telemetry.sdk.version":"3.1.1"}), spanLimits:{linkCountLimit:20000}, spanProcessors: [{ onStart(){}, onEnd(s: ReadableSpan){spans.push(s)}, forceFlush: async()=>{}, shutdown: async()=>{} }] as any });
const tracer = provider.getTracer("coldspan","0.1.0");
const parent={traceId:"5b8aa5a2d2c872e8321cf37308d69df2",spanId:"051581bf3cb55c13",traceFlags:1,isRemote:true};
const t0=performance.now();
for(let i=0;i<10240;i++){ const s=tracer.startSpan("process orders",{kind:SpanKind.CONSUMER,attributes:{"messaging.system":"aws_sqs","messaging.operation.type":"process","messaging.operation.name":"process","messaging.destination.name":"orders","messaging.message.id":"059f36b4-87a3-44ab-83d2-66197"+i,"aws.sqs.queue_time_ms":123+i},links:[{context:parent}]},trace.setSpanContext(context.active(),parent)); s.end(); }
console.log("create",((performance.now()-t0)*1000/10240).toFixed(2),"us/span");
const big=tracer.startSpan("process orders",{links:Array.from({length:10000},(_, i)=>({context:{...parent,spanId:i.toString(16).padStart(16,"0")},attributes:{"messaging.message.id":"059f36b4-87a3-44ab-83d2-66197"+i}}))}); big.end(); const bigSpan=spans.pop()!;
const chunks=[];for(let i=0;i<spans.length;i+=512)chunks.push(spans.slice(i,i+512));
let own: undefined | ((s: readonly ReadableSpan[])=>Uint8Array); try { own = (await import("./src/export/otlp-encoding.ts")).encodeProtobuf } catch {}
const impls: Record<string,(s: any)=>Uint8Array> = {stock:(s)=>ProtobufTraceSerializer.serializeRequest(s)!, json:(s)=>JsonTraceSerializer.serializeRequest(s)!, ...(own?{own}:{})};
for (let round=0;round<4;round++) for(const [name,f] of Object.entries(impls)){
  const u0=process.cpuUsage();let bytes=0;const t=performance.now();for(const c of chunks)bytes+=f(c).length;const dt=performance.now()-t;const u=process.cpuUsage(u0);
  const t2=performance.now();const b=f([bigSpan]).length;const dt2=performance.now()-t2;
  console.log(round,name,"us/span wall",(dt*1000/spans.length).toFixed(2),"cpu",((u.user+u.system)/spans.length).toFixed(2),"bytes/span",(bytes/spans.length).toFixed(0),"| 10k links",dt2.toFixed(1),"ms",b);
}
