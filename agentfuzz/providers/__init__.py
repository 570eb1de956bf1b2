"""Providers: the protocols of real model providers, in the words of `world.model.turn`.

    openai_chat         OpenAI Chat Completions
    openai_responses    OpenAI Responses
    anthropic           Anthropic Messages
    openai_items        the items that Responses show
    strict              what each of them refuses
    turns               what they share: a request, a turn, a stream of events

Law: pure, and below everything: bytes and plain data in, bytes and plain data out. Nothing here
knows a world, a clock, a socket or an SDK, and nothing is imported but the standard library. Each
protocol has the same few names: PATH, PREFIX, parse, body, stream, error, status_of, headers.
Called by the wire's face, which speaks these protocols, and by cassettes, which read them.
"""
