// Lays out graphs by dagre: a list of {nodes: [[id, width, height]], edges: [[from, to]], rankdir,
// ranker} comes in as JSON, their places and the bends of their edges go out.
import dagre from "@dagrejs/dagre";

let text = "";
for await (const piece of process.stdin) text += piece;

// An edge leaves and enters in the middle of a side, and goes straight past the boxes of a rank.
const bends = (graph, edge, along, size) => {
  const boxes = graph.nodes().map(id => graph.node(id));
  const half = Math.max(...boxes.map(box => box[size])) / 2;
  const moved = (at, by) => ({ ...at, [along]: at[along] + by });
  const [from, to] = [edge.v, edge.w].map(id => graph.node(id));
  const inner = graph.edge(edge).points.slice(1, -1).flatMap(at =>
    boxes.some(box => Math.abs(box[along] - at[along]) < 1) ? [moved(at, -half), moved(at, half)] : [at]);
  return [moved(from, from[size] / 2), ...inner, moved(to, -to[size] / 2)].map(({ x, y }) => [x, y]);
};

const laidOut = ({ nodes, edges, rankdir, ranker }) => {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({
    rankdir, ranker, nodesep: 10, ranksep: 16, edgesep: 8, marginx: 1, marginy: 2,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, width, height] of nodes) graph.setNode(id, { width, height });
  for (const [from, to] of edges) graph.setEdge(from, to);
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return {
    width,
    height,
    nodes: Object.fromEntries(nodes.map(([id]) => [id, [graph.node(id).x, graph.node(id).y]])),
    edges: edges.map(([v, w]) =>
      bends(graph, { v, w }, ...(rankdir === "LR" ? ["x", "width"] : ["y", "height"]))),
  };
};
process.stdout.write(JSON.stringify(JSON.parse(text).map(laidOut)));
