"""Guesses: what a tool's name, parameters, texts and hints say of it, and how often it is right."""

import pytest

from agentfuzz.world import verbs
from agentfuzz.world.guessing import Guess, Parameter, guess, of_function, of_schema
from agentfuzz.world.verbs import words

# Tools of eight real applications: parameters, whether it has an effect, and what is its scope.
APPLICATIONS = [
    ("faq_lookup_tool", "question", False, ""),
    ("get_trip_details", "message", False, ""),
    ("update_seat", "confirmation_number new_seat", True, "confirmation_number"),
    ("flight_status_tool", "flight_number", False, ""),
    ("baggage_tool", "query", False, ""),
    ("get_matching_flights", "origin destination", False, ""),
    ("book_new_flight", "flight_number", True, "flight_number"),
    ("assign_special_service_seat", "seat_request", True, ""),
    ("issue_compensation", "reason", True, ""),
    ("display_seat_map", "", False, ""),
    ("cancel_flight", "", True, ""),
    ("get_customer_info", "customer_id", False, ""),
    ("get_order_details", "order_id", False, ""),
    ("cancel_order", "order_id", True, "order_id"),
    ("check_calendar_availability", "day", False, ""),
    (
        "schedule_meeting",
        "attendees subject duration_minutes preferred_day start_time",
        True,
        "attendees preferred_day start_time subject",
    ),
    ("write_email", "to subject content", True, "to subject"),
    ("triage_email", "category", False, ""),
    ("extract_flights", "", False, ""),
    ("buy_tickets", "flight_details seat", True, "flight_details"),
    ("customer_balance", "", False, ""),
    ("get_lat_lng", "location_description", False, ""),
    ("get_weather", "lat lng", False, ""),
    ("roulette_wheel", "square", False, ""),
    ("bash", "command", True, "command"),
    ("charge", "order_id", True, "order_id"),
    ("get_temperature", "city", False, ""),
]
# Tools of public servers and of a benchmark, by what they say of themselves: those that read, and
# those with an effect.
PUBLIC = {
    "github": (
        """
        get_file_contents search_code list_workflow_runs get_job_logs issue_read
        pull_request_read list_issue_types projects_get
        """,
        """
        create_or_update_file push_files create_pull_request merge_pull_request
        add_issue_comment issue_write pull_request_review_write request_copilot_review
        rerun_failed_jobs run_workflow assign_copilot_to_issue mark_all_notifications_read
        fork_repository dismiss_notification star_repository
        manage_notification_subscription
        """,
    ),
    "filesystem": (
        """
        read_text_file read_media_file read_multiple_files list_directory directory_tree
        search_files get_file_info list_allowed_directories
        """,
        """
        create_directory write_file edit_file move_file
        """,
    ),
    "slack": (
        """
        slack_list_channels slack_get_channel_history slack_get_thread_replies
        slack_get_users slack_get_user_profile
        """,
        """
        slack_post_message slack_reply_to_thread slack_add_reaction
        """,
    ),
    "stripe": (
        """
        list_customers list_payment_intents retrieve_balance search_stripe_documentation
        get_stripe_account_info fetch_stripe_resources
        """,
        """
        create_customer create_refund finalize_invoice cancel_subscription update_dispute
        create_payment_link create_invoice_item
        """,
    ),
    "notion": (
        """
        notion-search notion-fetch notion-get-comments notion-get-users query_data_source
        """,
        """
        notion-create-pages notion-update-page notion-move-pages notion-duplicate-page
        notion-create-comment archive_page
        """,
    ),
    "playwright": (
        """
        browser_close browser_console_messages browser_hover browser_navigate_back
        browser_network_requests browser_resize browser_snapshot browser_take_screenshot
        browser_wait_for browser_tab_list browser_tab_new browser_tab_select
        """,
        """
        browser_click browser_drag browser_evaluate browser_file_upload
        browser_handle_dialog browser_navigate browser_press_key browser_select_option
        browser_type browser_install browser_tab_close
        """,
    ),
    "tau-bench": (
        """
        calculate find_user_id_by_email find_user_id_by_name_zip get_order_details
        get_user_details list_all_airports list_all_product_types search_direct_flight
        search_onestop_flight think get_reservation_details
        """,
        """
        book_reservation cancel_reservation send_certificate transfer_to_human_agents
        update_reservation_baggages update_reservation_flights cancel_pending_order
        exchange_delivered_order_items modify_pending_order_address
        return_delivered_order_items modify_user_address
        """,
    ),
}
# The same, of servers that were not looked at before the rules were written.
UNSEEN = {
    "google workspace": (
        """
        search_gmail_messages get_gmail_message_content get_gmail_attachment_content
        list_gmail_labels search_drive_files get_drive_file_download_url
        get_drive_shareable_link list_drive_items check_drive_file_public_access get_events
        query_freebusy search_docs list_docs_in_folder get_doc_as_markdown
        inspect_doc_structure debug_table_structure read_sheet_values get_spreadsheet_info
        download_chat_attachment get_page_thumbnail list_task_lists get_search_engine_info
        search_custom generate_trigger_code list_script_processes
        """,
        """
        send_gmail_message modify_gmail_message_labels manage_gmail_label
        draft_gmail_message manage_gmail_filter batch_modify_gmail_message_labels
        start_google_auth create_drive_file import_to_google_doc copy_drive_file
        update_drive_file manage_drive_access set_drive_file_permissions manage_event
        create_doc modify_doc_text export_doc_to_pdf find_and_replace_doc
        insert_doc_elements update_paragraph_style batch_update_doc create_table_with_data
        format_sheet_range manage_conditional_formatting create_reaction
        set_publish_settings manage_task manage_contact run_script_function
        delete_script_project create_version
        """,
    ),
    "atlassian": (
        """
        jira_get_issue jira_search jira_get_project_issues jira_batch_get_changelogs
        jira_search_fields jira_get_transitions jira_get_sprints_from_board
        jira_get_link_types jira_get_worklog jira_download_attachments
        jira_get_service_desk_queues jira_get_request_types jira_get_issue_sla
        confluence_search confluence_get_page_history confluence_get_page_diff
        confluence_get_comments confluence_search_user confluence_get_page_views
        confluence_check_content_permissions confluence_list_page_templates
        """,
        """
        jira_create_issue jira_update_issue jira_assign_issue jira_delete_issue
        jira_move_issue jira_batch_create_issues jira_add_comment jira_edit_comment
        jira_transition_issue jira_create_version jira_add_issues_to_sprint
        jira_move_issues_to_backlog jira_link_to_epic jira_create_remote_issue_link
        jira_remove_issue_link jira_add_watcher jira_create_customer_request
        jira_update_proforma_form_answers confluence_create_page
        confluence_update_page_section confluence_copy_page confluence_set_page_restrictions
        confluence_reply_to_comment confluence_upload_attachment
        confluence_create_page_from_template
        """,
    ),
    "kubernetes": (
        """
        kubectl_get kubectl_describe kubectl_logs explain_resource list_api_resources ping
        """,
        """
        cleanup kubectl_apply kubectl_delete kubectl_create kubectl_scale kubectl_patch
        kubectl_rollout kubectl_context exec_in_pod install_helm_chart upgrade_helm_chart
        uninstall_helm_chart port_forward stop_port_forward node_management
        """,
    ),
}


def wrong(tools: dict[str, tuple[str, str]]) -> tuple[int, list[str], list[str]]:
    """How many there are; of those whose effect is guessed wrong from the name alone: those that
    read, and those with an effect."""
    cautious = [name for reads, _ in tools.values() for name in reads.split() if guess(name).effect]
    missed = [name for _, does in tools.values() for name in does.split() if not guess(name).effect]
    return sum(len(f"{r} {d}".split()) for r, d in tools.values()), cautious, missed


def test_the_tools_of_real_applications() -> None:
    """Of 27, 25 effects and, of the 11 that have one, 10 scopes are right."""
    effects = scopes = 0
    for name, parameters, effect, scope in APPLICATIONS:
        found = guess(name, [Parameter(one) for one in parameters.split()])
        effects += (found.effect is not None) == effect
        scopes += effect and set(found.scope) == set(scope.split())
    assert (effects, scopes) == (25, 10)


def test_public_tools_by_their_names_alone() -> None:
    """Of 113, 105 are right, and the others are taken for an effect, which they have not."""
    count, cautious, missed = wrong(PUBLIC)
    assert (count, missed) == (113, [])
    assert len(cautious) == 8
    assert all(name.startswith("browser_") for name in cautious)


def test_tools_of_servers_that_were_not_looked_at() -> None:
    """Of 123, 119 were right when they were first tried. Two with an effect were taken for reading
    ones; since then a verb of reading that may be a noun counts at the beginning alone, and what
    exports is no longer one: 121."""
    assert wrong(UNSEEN) == (123, ["debug_table_structure", "generate_trigger_code"], [])


@pytest.mark.parametrize(
    ("name", "parted"),
    [
        ("getOrderDetails", "get order details"),
        ("HTTPFetch", "http fetch"),
        ("notion-create-pages", "notion create pages"),
        ("customers.create", "customers create"),
        ("book_flight2", "book flight 2"),
        ("cancelOrderTool", "cancel order"),
        ("tool", "tool"),
        ("", ""),
        ("预订", ""),
    ],
)
def test_the_words_of_a_name(name: str, parted: str) -> None:
    """Whatever they are parted by."""
    assert " ".join(words(name)) == parted


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("mcp__github__create_issue", False),
        ("mcp__send__get_page", True),  # the server's name says nothing
        ("mcp__weird", False),
        ("get_or_create_customer", False),
        ("find_and_replace", False),
        ("searchAndList", True),
        ("order_lookup", True),
        ("order_pizza", False),
        ("order_status", True),
        ("list_orders", True),
        ("check_in_passenger", False),
        ("check_passenger", True),
        ("mark_all_read", False),
        ("balance", True),
        ("frobnicate", False),
        ("", False),
    ],
)
def test_the_verb_of_a_name(name: str, reads: bool) -> None:
    """A verb decides; one that may be a noun does at the beginning; nothing known is an effect."""
    assert (guess(name).effect is None) == reads


def test_the_effect_is_named_like_the_tool() -> None:
    """Without its server, in one spelling: no two tools of a world are taken for one effect."""
    assert guess("mcp__github__createIssue").effect == "create_issue"
    assert guess("notion-create-pages").effect == "notion_create_pages"
    assert guess("预订").effect == "预订"


@pytest.mark.parametrize(
    ("found", "effect", "origin"),
    [
        (guess("send", hints={"readOnlyHint": True}), None, "readOnlyHint of the MCP server"),
        (
            guess("get_page", hints={"readOnlyHint": False}),
            "get_page",
            "readOnlyHint (false) of the MCP server",
        ),
        (
            guess("wipe", hints={"destructiveHint": True}),
            "wipe",
            "destructiveHint of the MCP server",
        ),
        (guess("get_page", hints={"readOnlyHint": "yes"}), None, "the verb 'get' in its name"),
        (guess("get_page", hints={}), None, "the verb 'get' in its name"),
        (guess("anything", method="get"), None, "the HTTP verb GET"),
        (guess("get_token", method="PUT"), "get_token", "the HTTP verb PUT"),
        (guess("charges", method="POST"), "charges", "the HTTP verb POST"),
        (
            guess("query_database", method="POST"),
            None,
            "the verb 'query' in its name, though its HTTP verb is POST",
        ),
        (guess("book_flight"), "book_flight", "the verb 'book' in its name"),
        (guess("flight_status"), None, "the noun 'status' at the end of its name"),
        (
            guess("weather_now", doc="  Returns the weather.\nSends nothing."),
            None,
            "the first word of its description, 'Returns'",
        ),
        (
            guess("ticketing", doc="Creates a ticket."),
            "ticketing",
            "the first word of its description, 'Creates'",
        ),
        (
            guess("faq", [Parameter("question")]),
            None,
            "no verb known, and it is asked a question",
        ),
        (guess("roulette", doc="The wheel."), "roulette", "no verb known: taken for an effect"),
    ],
)
def test_where_an_effect_comes_from(found: Guess, effect: str | None, origin: str) -> None:
    """Hints first, then the HTTP verb, the name, the description, the parameters; it says so."""
    assert found.effect == effect
    assert found.origins["effect"] == origin
    assert set(found.origins) == {"effect", "scope", "dedup", "transport"}


def book(
    flight_id: str,
    passengers: list[str],
    seat: str,
    note: str,
    nights: int,
    amount_cents: int,
    notify: bool,
    extras: dict[str, str],
    idempotency_key: str | None = None,
    channel: str = "web",
    *rest: str,
) -> str:
    return "ok"


SCHEMA = {
    "type": "object",
    "properties": {
        "issue_number": {"type": "integer"},
        "owner": {"type": "string"},
        "state": {"type": ["string", "null"]},
        "draft": {"type": "boolean"},
        "body": {"type": "string"},
        "odd": True,
    },
    "required": ["issue_number", "owner"],
}


def test_a_scope_is_what_tells_one_from_another() -> None:
    """No texts, measures, switches, options and keys; where something is changed, what names it."""
    found = guess("book", of_function(book))
    assert found.scope == ("flight_id", "passengers", "seat", "nights", "extras")
    assert found.dedup == "key"
    assert found.origins["dedup"] == "its parameter 'idempotency_key'"
    assert guess("update_issue", of_schema(SCHEMA)).scope == ("issue_number",)
    assert guess("create_issue", of_schema(SCHEMA)).scope == ("issue_number", "owner")
    assert guess("issue_compensation", [Parameter("reason")]).scope == ()
    assert guess("get_issue", of_schema(SCHEMA)).scope == ()
    assert guess("rename", [Parameter("file_id"), Parameter("new_name")]).scope == ("file_id",)


def test_how_a_repeat_is_recognised() -> None:
    """By what the protocol says of it, else by nothing."""
    assert guess("write_file", hints={"idempotentHint": True}).dedup == "scope"
    assert guess("put_file", method="put").dedup == "scope"
    assert guess("post_file", method="post").dedup == "none"
    assert guess("get_file", hints={"readOnlyHint": True, "idempotentHint": True}).dedup == "none"


def test_where_it_runs() -> None:
    """A function of this process is local until somebody says something else."""
    assert guess("book").transport == "local"
    assert guess("book", hints={}).transport == "network"
    assert guess("mcp__shop__book").transport == "network"
    assert guess("book", method="POST").transport == "network"
    assert guess("book", remote=True).transport == "network"


def test_a_function_whose_annotations_cannot_be_read() -> None:
    """Names count then."""

    def late(order_id: "Nowhere", sure: bool) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert [one.name for one in of_function(late)] == ["order_id", "sure"]


def test_a_verb_says_one_thing() -> None:
    """None both reads and does something, and what may be a noun is a verb."""
    assert not verbs.READS & verbs.WRITES
    assert verbs.NOUNS <= verbs.READS | verbs.WRITES
