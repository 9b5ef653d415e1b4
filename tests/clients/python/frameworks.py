"""Agent frameworks with a scripted model and no network: `frameworks.py OPERATOR [NAME…] [gate]`.

With `gate` each has a token for a gate and nothing else. `rig` is played where `RIG_CLIENT` names its program.
"""

import asyncio
import json
import os
import sys
import uuid
from pathlib import Path

from script import Cluster, Script


async def pydantic_ai(cluster, script):
    from pydantic_ai import Agent
    from fastmcp.client.transports import StdioTransport
    from pydantic_ai.mcp import MCPToolset
    from pydantic_ai.messages import ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import FunctionModel
    from pydantic_ai.usage import UsageLimits

    def model(messages, _):
        last = messages[-1].parts[-1]
        answer = last.content if isinstance(last, (ToolReturnPart, RetryPromptPart)) else None
        step = script.next(answer)
        if step is None:
            return ModelResponse(parts=[TextPart("done")])
        tool, arguments = step
        return ModelResponse(parts=[ToolCallPart(tool_name=tool, args=arguments)])

    transport = StdioTransport(command=cluster.operator, args=cluster.arguments)
    agent = Agent(FunctionModel(model), toolsets=[MCPToolset(transport, max_retries=5)])
    async with agent:
        await agent.run("operate it", usage_limits=UsageLimits(request_limit=100))


async def langgraph(cluster, script):
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_mcp_adapters.client import MultiServerMCPClient
    from langchain_mcp_adapters.tools import load_mcp_tools
    from langchain.agents import create_agent

    class Scripted(BaseChatModel):
        @property
        def _llm_type(self):
            return "scripted"

        def bind_tools(self, tools, **_):
            return self

        def _generate(self, messages, stop=None, run_manager=None, **_):
            last = messages[-1]
            answer = None
            if isinstance(last, ToolMessage):
                text = last.content
                answer = text if isinstance(text, str) else text[0]["text"]
            step = script.next(answer)
            if step is None:
                message = AIMessage("done")
            else:
                call = {"name": step[0], "args": step[1], "id": uuid.uuid4().hex}
                message = AIMessage("", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=message)])

    entry = {"transport": "stdio", "command": cluster.operator, "args": cluster.arguments}
    client = MultiServerMCPClient({"operator": entry})
    async with client.session("operator") as session:
        tools = await load_mcp_tools(session)
        for tool in tools:
            tool.handle_tool_error = True
        agent = create_agent(Scripted(), tools)
        await agent.ainvoke({"messages": [("user", "operate it")]}, {"recursion_limit": 200})


async def openai_agents(cluster, script):
    from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, set_tracing_disabled
    from agents.mcp import MCPServerStdio
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    set_tracing_disabled(True)

    class Scripted(Model):
        async def get_response(self, system_instructions, input, *_, **__):
            last = input[-1] if isinstance(input, list) else {}
            answer = last.get("output") if last.get("type") == "function_call_output" else None
            if isinstance(answer, list):
                answer = answer[0]["text"]
            if isinstance(answer, str) and '"type": "text"' in answer[:40]:
                answer = json.loads(answer)["text"]
            step = script.next(answer)
            if step is None:
                text = ResponseOutputText(text="done", type="output_text", annotations=[])
                output = ResponseOutputMessage(
                    id="m", content=[text], role="assistant", status="completed", type="message"
                )
            else:
                output = ResponseFunctionToolCall(
                    call_id=uuid.uuid4().hex, name=step[0], arguments=json.dumps(step[1]), type="function_call"
                )
            return ModelResponse(output=[output], usage=Usage(), response_id=None)

        def stream_response(self, *_, **__):
            raise NotImplementedError

    parameters = {"command": cluster.operator, "args": cluster.arguments}
    async with MCPServerStdio(parameters, client_session_timeout_seconds=120) as server:
        agent = Agent(name="night", model=Scripted(), mcp_servers=[server])
        await Runner.run(agent, "operate it", max_turns=100, run_config=RunConfig(tracing_disabled=True))


async def rig(cluster, script):
    """An agent in Rust, in a process of its own, which asks for each call: see tests/clients/rig."""
    from subprocess import PIPE

    command = [os.environ["RIG_CLIENT"], cluster.operator, *cluster.arguments]
    agent = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=1 << 24)
    while line := await agent.stdout.readline():
        result = json.loads(line)["content"][0]
        # What is structured comes as JSON, what went wrong as text.
        answer = result["content"][0] if result.get("type") == "toolresult" else {}
        answer = answer.get("value", answer.get("text"))
        agent.stdin.write(json.dumps(script.next(answer)).encode() + b"\n")
    if await agent.wait() != 0:
        raise AssertionError(f"rig: {agent.returncode}")


FRAMEWORKS = {"pydantic_ai": pydantic_ai, "langgraph": langgraph, "openai_agents": openai_agents}
if "RIG_CLIENT" in os.environ:
    FRAMEWORKS["rig"] = rig


# Whose run is docs/transcript.md.
TRANSCRIPT = "pydantic_ai"
PAGE = Path(__file__).parents[3] / "docs" / "transcript.md"


def transcribe(script):
    """Holds the page to what was said, or writes it where `WRITE_TRANSCRIPT` is set."""
    head = PAGE.read_text().split("\n---\n")[0]
    page = f"{head}\n---\n\n{script.transcript()}\n"
    if "WRITE_TRANSCRIPT" in os.environ:
        PAGE.write_text(page)
    assert PAGE.read_text() == page, f"{PAGE} says something else: set WRITE_TRANSCRIPT=1 and run it again"


def main():
    operator, *names = sys.argv[1:]
    at_gate = "gate" in names
    names = [name for name in names if name != "gate"]
    for name in names or FRAMEWORKS:
        print(f"{name}{', at a gate' if at_gate else ''}:", flush=True)
        cluster = Cluster(operator, name, at_gate=at_gate)
        try:
            script = Script(cluster)
            asyncio.run(FRAMEWORKS[name](cluster, script))
            assert script.over, f"{name} ended in the middle"
            if name == TRANSCRIPT and not at_gate:
                transcribe(script)
        finally:
            cluster.end()
        print("  all of it went as it should", flush=True)


main()
