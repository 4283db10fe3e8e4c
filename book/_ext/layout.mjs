// Lays out graphs by dagre: a list of {nodes: [[id, width, height]], edges: [[from, to]], rankdir,
// ranker} comes in as JSON, their places and the bends of their edges go out.
import dagre from "@dagrejs/dagre";

let text = "";
for await (const piece of process.stdin) text += piece;

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
    edges: edges.map(([v, w]) => graph.edge(v, w).points.map(({ x, y }) => [x, y])),
  };
};
process.stdout.write(JSON.stringify(JSON.parse(text).map(laidOut)));
